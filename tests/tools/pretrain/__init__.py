"""Human questions with gold SQL, as rows that the embedded model can be pretrained on."""
