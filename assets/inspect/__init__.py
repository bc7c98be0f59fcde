"""Looking at an extract before any night: how it is written, which stream it is, what becomes of it and of KPIs."""
