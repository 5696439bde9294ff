"""The pages behind the labels: from a link to what is proven of its product, told to people and machines."""
