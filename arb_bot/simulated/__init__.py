"""Simulated markets: events with a latent probability, makers who follow it late, venues that match orders.

Nothing here touches a network. Everything is drawn from one seed, so the same seed and the same calls at
the same times give the same prices, fills and outcomes.
"""
