"""The live charts of a run, what they mean in words, and the numbers beside them."""
