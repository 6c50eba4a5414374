-- description: No personal access token ends within token_days (pipeline.yaml).
-- severity: warning
-- control: SAT GOV-2
-- docs: https://docs.databricks.com/administration-guide/access-control/tokens.html
-- key: deployment_name, token_id
-- message: the token "{{ comment }}" of {{ created_by_username }} in {{ deployment_name }} ends at {{ expiry_time }}
SELECT deployment_name, token_id, comment, created_by_username, expiry_time
FROM expiring_tokens
ORDER BY expiry_time, deployment_name, token_id
