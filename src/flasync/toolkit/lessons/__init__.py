"""The course of `flasync learn`: lessons, the app that they move, the tutorial made of them."""
