"""What is known of alerts and done about them: history, silences, who is called, test pages, digest."""
