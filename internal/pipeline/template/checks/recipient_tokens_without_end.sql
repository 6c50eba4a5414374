-- description: The tokens of Delta Sharing recipients expire.
-- severity: error
-- control: SAT GOV-19
-- docs: https://docs.databricks.com/data-sharing/create-recipient.html
-- key: deployment_name, name
-- message: the recipient {{ name }} in {{ deployment_name }} has tokens that never expire: {{ tokens_without_end }}
SELECT deployment_name, name, owner, tokens_without_end
FROM recipients
WHERE authentication_type = 'TOKEN' AND tokens_without_end > 0
ORDER BY deployment_name, name
