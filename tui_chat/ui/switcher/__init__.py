"""What the list of models knows without a screen: choices, prices, order, and how a row is drawn."""
