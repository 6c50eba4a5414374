-- description: Shares go to recipients who log in, and not to whoever has a token.
-- severity: info
-- key: deployment_name, share, recipient
-- message: the share {{ share }} in {{ deployment_name }} goes to {{ recipient }} by a token
SELECT s.deployment_name, s.share, s.recipient
FROM share_recipients s
JOIN recipients r ON r.deployment_name = s.deployment_name AND r.name = s.recipient
WHERE r.authentication_type = 'TOKEN'
ORDER BY s.deployment_name, s.share, s.recipient
