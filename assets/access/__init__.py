"""What is held on a person: for somebody who asks what the company knows of them."""
