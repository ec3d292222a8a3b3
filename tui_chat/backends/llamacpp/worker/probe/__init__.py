"""Asks llama.cpp itself what a load would cost: it lays everything out, on devices that need not exist."""
