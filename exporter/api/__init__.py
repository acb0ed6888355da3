"""The admin API: who asks, what for, and what is answered; what is done stands in exporter.control."""
