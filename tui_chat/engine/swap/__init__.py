"""The hot-swap manager: which models are in memory, who goes for whom, how a load comes to its end."""
