"""Plan and case in, result out."""
