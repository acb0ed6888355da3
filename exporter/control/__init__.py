"""What changes a bot: kill, commands and settings, each proven by later states, and who may ask for them."""
