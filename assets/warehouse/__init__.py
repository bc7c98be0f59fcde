"""What the night hands to dbt: accepted rows, the night's own tables, contact points in one spelling."""
