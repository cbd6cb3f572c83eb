"""How well methods agree with the standard: on held-out phantoms and on real pairs. cases <- measuring <- gates, tables."""
