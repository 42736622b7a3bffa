"""The prediction that follows the hand: who answers, how good each is, and whose answer is shown."""
