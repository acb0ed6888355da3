"""Commands for people in a shell, through the admin API of the exporter that runs, or straight to the bot."""
