"""The invented world behind the seeds of the Fernhill example project."""
