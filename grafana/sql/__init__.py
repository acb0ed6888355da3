"""Every SQL statement of the pages, by subject; names of tables and columns stand in this package alone."""
