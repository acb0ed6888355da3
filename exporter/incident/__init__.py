"""What a post-mortem needs of a stretch of time, from the flight recordings and the reporting database."""
