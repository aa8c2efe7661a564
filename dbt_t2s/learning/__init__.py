"""A model that learns from being corrected: its versions, what was said of answers, the next."""
