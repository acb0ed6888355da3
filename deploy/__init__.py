"""What starts the console: the passwords of a first start, the run without Docker, the greeting."""
