"""What authors and instructors run. Nothing that a chapter imports stands here."""
