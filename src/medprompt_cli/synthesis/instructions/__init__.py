"""From what is known of an image to instructions about it, and what answers them."""
