-- description: No personal access token is valid for ever.
-- severity: error
-- control: SAT IA-4
-- docs: https://docs.databricks.com/administration-guide/access-control/tokens.html
-- key: deployment_name, token_id
-- message: the token "{{ comment }}" of {{ created_by_username }} in {{ deployment_name }} never expires
SELECT deployment_name, token_id, comment, created_by_username
FROM tokens
WHERE expiry_time IS NULL
ORDER BY deployment_name, token_id
