"""The operator page and the wall: what they show of each bot, which buttons there are, and their HTML."""
