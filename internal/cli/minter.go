package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/lakeql/lakeql/internal/pipeline"
	"github.com/lakeql/lakeql/provider"
)

// minter returns the passwords of Lakebase endpoints that a store names. Without an asker it makes one when it
// is needed.
func (c *command) minter(asker *asker) pipeline.Minter {
	return func(ctx context.Context, workspace, endpoint string) (pipeline.Login, error) {
		if asker == nil {
			var err error
			if asker, err = c.askers(); err != nil { //nolint:contextcheck // what it opens is for longer than this password
				return pipeline.Login{}, err
			}
		}
		login, err := asker.login(ctx, workspace, endpoint)
		if err != nil {
			return login, fmt.Errorf("mint a password for the store's endpoint %s: %w", provider.Printable(endpoint), err)
		}
		return login, nil
	}
}

// login mints a password.
func (a *asker) login(ctx context.Context, workspace, endpoint string) (pipeline.Login, error) {
	session := a.session(workspace, nil)
	defer session.Close()
	session.Masked, session.QueriesOnly = false, false // the password is what is asked for
	var login pipeline.Login
	const text = `EXEC databricks_workspace.postgres.postgres_credentials.generate @endpoint = %s;
		SELECT json_extract(status, '$.hosts.host') FROM databricks_workspace.postgres.postgres_endpoints WHERE name = %[1]s;
		SELECT userName FROM databricks_workspace.iam.current_user`
	var answers []map[string]any
	for rows, err := range session.Run(ctx, fmt.Sprintf(text, quoteSQL(endpoint))) {
		if err != nil {
			return login, err
		}
		row, err := rows.Next(ctx)
		answer := map[string]any{}
		if err == nil {
			for i, col := range rows.Columns() {
				answer[col.Name] = row[i]
			}
			answer[""] = row[0]
		}
		answers = append(answers, answer)
		if err := errors.Join(err, rows.Close()); err != nil {
			return login, err
		}
	}
	switch token := answers[0]["token"].(type) {
	case provider.Secret:
		login.Password = token
	case string:
		login.Password = provider.Secret(token)
	}
	expires, ok := pipeline.ParseTime(fmt.Sprint(answers[0]["expire_time"]))
	if login.Password == "" || !ok {
		return login, provider.Errorf(provider.API, "the answer has no password, or does not say until when it is good")
	}
	login.Expires = expires.Add(-time.Second)
	login.Host, _ = answers[1][""].(string)
	login.User, _ = answers[2]["userName"].(string)
	if login.Host == "" {
		return login, provider.Errorf(provider.API, "the endpoint has no host; is it still being made?")
	}
	return login, nil
}
