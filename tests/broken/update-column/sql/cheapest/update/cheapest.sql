select price from artifact
