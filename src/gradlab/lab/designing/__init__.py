"""What a study is, as data: procedures, arms, claims, tables, figures."""
