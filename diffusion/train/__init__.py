"""Training: settings, losses, the loop, the pictures and the crude drawings made of them."""
