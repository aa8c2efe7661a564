"""Query plans: a small language between questions and SQL, and its translation to SQL."""
