"""What a change of the project does to its questions and its model: the verb ``check``."""
