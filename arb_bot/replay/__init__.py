"""Recorded quotes played again: the same engine, orders on paper against the recorded top of book.

What a recording does not say is assumed, always in the same words and marked as simulated: a size that was
not recorded is the one that the caller gives, and an event pays as its last recorded prices suggest.
Nothing is held across two sessions of a recording, and nothing that was recorded later is seen earlier.
"""
