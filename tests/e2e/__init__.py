"""Whole nights of whole installations."""
