"""The types of sequences at the places where Aim 3.29 has them."""
