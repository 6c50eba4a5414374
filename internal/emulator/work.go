package emulator

import (
	"encoding/json"
	"maps"
	"net/http"

	"github.com/lakeql/lakeql/internal/emulator/apierror"
	"github.com/lakeql/lakeql/internal/emulator/company"
	"github.com/lakeql/lakeql/internal/emulator/documents"
	"github.com/lakeql/lakeql/internal/emulator/resource"
)

// Work that is begun by one call and asked for by another, and is no resource by itself: commands
// on clusters, questions to Genie, apps and pipelines that start and stop.

const (
	contextKind      = "/contexts"
	commandKind      = "/commands"
	conversationKind = "/genie/spaces/{}/conversations"
	messageKind      = "/genie/spaces/{}/conversations/{}/messages"
	updateKind       = "/pipelines/{}/updates"
)

func workHandlers() map[string]handler {
	const spaces, apps, pipelines = "POST /api/2.0/genie/spaces/{}/", "POST /api/2.0/apps/{}/", "POST /api/2.0/pipelines/{}/"
	return map[string]handler{
		"POST /api/1.2/contexts/create":  createContext,
		"GET /api/1.2/contexts/status":   statusOfWork(contextKind, "contextId"),
		"POST /api/1.2/contexts/destroy": destroyContext,
		"POST /api/1.2/commands/execute": executeCommand,
		"GET /api/1.2/commands/status":   statusOfWork(commandKind, "commandId"),
		"POST /api/1.2/commands/cancel":  cancelCommand,

		spaces + "start-conversation":        startConversation,
		spaces + "conversations/{}/messages": createMessage,

		apps + "start": changeOne(func(c *call, r resource.Record) (resource.Record, error) {
			r = maps.Clone(r)
			c.goes("/apps", r)
			return r, nil
		}),
		apps + "stop": changeOne(func(c *call, r resource.Record) (resource.Record, error) {
			r = maps.Clone(r)
			c.become(r, resource.Record{"compute_status": resource.Record{"state": "STOPPING", "message": ""}},
				resource.Record{"compute_status": resource.Record{"state": "STOPPED", "message": ""}, "app_status": resource.Record{"state": "UNAVAILABLE", "message": ""}})
			return r, nil
		}),
		pipelines + "stop": changeOne(func(c *call, r resource.Record) (resource.Record, error) {
			r = maps.Clone(r)
			c.become(r, resource.Record{"state": "STOPPING"}, resource.Record{"state": "IDLE"})
			return r, nil
		}),
		pipelines + "updates": startUpdate,

		"PUT /api/2.0/serving-endpoints/{}/config":    changeServing,
		"PUT /api/2.0/serving-endpoints/pt/{}/config": changeServing,
	}
}

// onCluster refuses work on a cluster that does not run.
func (c *call) onCluster() error {
	id := c.value("clusterId")
	it, ok := c.home.collections.Get("/clusters/" + resource.Key(id))
	if !ok {
		return apierror.New(http.StatusBadRequest, "INVALID_PARAMETER_VALUE", "Cluster %s does not exist", apierror.Printable(id))
	}
	if state := resource.Text(resource.Settled(it.Record, c.emulator.opts.Clock())["state"]); state != "RUNNING" {
		return apierror.New(http.StatusBadRequest, "INVALID_STATE", "Cluster %s is in unexpected state %s.", apierror.Printable(id), state)
	}
	return nil
}

func createContext(c *call) (any, error) {
	if err := c.onCluster(); err != nil {
		return nil, err
	}
	return c.beginWork(contextKind, resource.Record{}), nil
}

func executeCommand(c *call) (any, error) {
	if err := c.onCluster(); err != nil {
		return nil, err
	}
	if _, ok := c.home.collections.Get(contextKind + "/" + resource.Key(c.value("contextId"))); !ok {
		return nil, apierror.New(http.StatusBadRequest, "INVALID_PARAMETER_VALUE", "ContextNotFound: no context %s", apierror.Printable(c.value("contextId")))
	}
	return c.beginWork(commandKind, resource.Record{}), nil
}

func (c *call) beginWork(kindName string, r resource.Record) any {
	r["id"] = resource.NewID()
	c.goes(kindName, r)
	c.home.collections.Put(kindName+"/"+resource.Text(r["id"]), r)
	return resource.Record{"id": r["id"]}
}

func statusOfWork(kindName, param string) handler {
	return func(c *call) (any, error) {
		it, ok := c.home.collections.Get(kindName + "/" + resource.Key(c.value(param)))
		if !ok {
			return nil, apierror.New(http.StatusBadRequest, "INVALID_PARAMETER_VALUE", "There is no %s %s", documents.Noun(kindName), apierror.Printable(c.value(param)))
		}
		m := c.route.method
		return json.RawMessage(c.emulator.shapes.Response(m).AppendTo(nil, resource.Settled(it.Record, c.emulator.opts.Clock()))), nil
	}
}

func cancelCommand(c *call) (any, error) {
	name := commandKind + "/" + resource.Key(c.value("commandId"))
	it, ok := c.home.collections.Get(name)
	if !ok {
		return nil, apierror.New(http.StatusBadRequest, "INVALID_PARAMETER_VALUE", "There is no command %s", apierror.Printable(c.value("commandId")))
	}
	r := maps.Clone(it.Record)
	c.become(r, resource.Record{"status": "Cancelling"}, resource.Record{"status": "Cancelled"})
	c.home.collections.Put(name, r)
	return resource.Record{}, nil
}

func destroyContext(c *call) (any, error) {
	name := contextKind + "/" + resource.Key(c.value("contextId"))
	if _, ok := c.home.collections.Get(name); !ok {
		return nil, apierror.New(http.StatusBadRequest, "INVALID_PARAMETER_VALUE", "ContextNotFound: no context %s", apierror.Printable(c.value("contextId")))
	}
	c.home.collections.Remove(name)
	return resource.Record{}, nil
}

// startConversation makes a conversation with its first message.
func startConversation(c *call) (any, error) {
	if _, _, err := c.stored(c.route.target); err != nil {
		return nil, err
	}
	space, id, now := c.params["space_id"], resource.NewID(), c.emulator.opts.Clock().UnixMilli()
	conversation := resource.Record{"id": id, "conversation_id": id, "space_id": space, "title": c.object()["content"], "created_timestamp": now, "last_updated_timestamp": now}
	k := c.emulator.kinds()[conversationKind]
	if k == nil {
		return c.invented(nil), nil
	}
	in, key := k.Locate([]string{space}, []string{id})
	c.home.collections.Put(in+"/"+key, conversation)
	message := c.message(space, id)
	m := c.route.method
	return json.RawMessage(c.emulator.shapes.Response(m).AppendTo(nil, resource.Record{
		"conversation": conversation, "conversation_id": id, "message": message, "message_id": message["id"],
	})), nil
}

func createMessage(c *call) (any, error) {
	if err := c.checkParents(c.route.target); err != nil {
		return nil, err
	}
	return c.answer(c.message(c.params["space_id"], c.params["conversation_id"])), nil
}

// message keeps a question, which is answered after Options.OperationTime.
func (c *call) message(space, conversation string) resource.Record {
	id, now := resource.NewID(), c.emulator.opts.Clock().UnixMilli()
	r := resource.Record{
		"id": id, "message_id": id, "conversation_id": conversation, "space_id": space, "content": c.object()["content"],
		"created_timestamp": now, "last_updated_timestamp": now, "user_id": int64(company.FirstUser),
	}
	c.goes(messageKind, r)
	if k := c.emulator.kinds()[messageKind]; k != nil {
		in, key := k.Locate([]string{space, conversation}, []string{id})
		c.home.collections.Put(in+"/"+key, r)
	}
	return r
}

// startUpdate begins an update of a pipeline.
func startUpdate(c *call) (any, error) {
	if err := c.checkParents(c.route.target); err != nil {
		return nil, err
	}
	pipeline, id := c.params["pipeline_id"], resource.NewID()
	r := resource.Record{"update_id": id, "pipeline_id": pipeline, "cause": "API_CALL", "creation_time": c.emulator.opts.Clock().UnixMilli(), "full_refresh": c.object()["full_refresh"] == true}
	c.goes(updateKind, r)
	c.home.collections.Put(updateKind+"|"+resource.Key(pipeline)+"/"+id, r)
	return resource.Record{"update_id": id}, nil
}

// changeServing gives an endpoint another configuration, which takes its time.
func changeServing(c *call) (any, error) {
	c.home.changing.Lock()
	defer c.home.changing.Unlock()
	name := "/serving-endpoints/" + resource.Key(c.params["name"])
	it, ok := c.home.collections.Get(name)
	if !ok {
		return nil, apierror.New(http.StatusNotFound, "RESOURCE_DOES_NOT_EXIST", "Endpoint with name '%s' does not exist.", apierror.Printable(c.params["name"]))
	}
	r := maps.Clone(resource.Settled(it.Record, c.emulator.opts.Clock()))
	config := c.object()
	if inner := resource.Object(config, "config"); len(inner) > 0 {
		config = inner
	}
	r["config"] = merged(resource.Object(r, "config"), config, nil)
	c.goes("/serving-endpoints", r)
	c.home.collections.Put(name, r)
	m := c.route.method
	return json.RawMessage(c.emulator.shapes.Response(m).AppendTo(nil, r)), nil
}
