"""Tests of the servers, the development server, and the helpers that start them for real."""
