"""The reporting database: what the pages of history read, kept by the exporter and nobody else."""
