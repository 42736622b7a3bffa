"""The studio: its panels, and the screen that holds them."""
