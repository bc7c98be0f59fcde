"""What an operator asks for: planning and running nights, judging again, erasing a person."""
