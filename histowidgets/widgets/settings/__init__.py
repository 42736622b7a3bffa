"""The form of `TrainingSettings`, what follows from it, and what is recommended."""
