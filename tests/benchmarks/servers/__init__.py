"""What servers cost when they are talked to through us, and what is left of an answer when they break."""
