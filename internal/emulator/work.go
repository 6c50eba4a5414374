package emulator

import (
	"maps"
	"net/http"

	"github.com/lakeql/lakeql/internal/emulator/apierror"
	"github.com/lakeql/lakeql/internal/emulator/company"
	"github.com/lakeql/lakeql/internal/emulator/documents"
	"github.com/lakeql/lakeql/internal/emulator/resource"
)

const (
	contextKind      = "/contexts"
	commandKind      = "/commands"
	conversationKind = "/genie/spaces/{}/conversations"
	messageKind      = "/genie/spaces/{}/conversations/{}/messages"
	updateKind       = "/pipelines/{}/updates"
)

// workHandlers are operations that begin work, and operations that return its state: commands on
// clusters, questions to Genie, apps and pipelines that start and stop.
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

		apps + "start": changeOne(func(req *apiRequest, r resource.Record) (resource.Record, error) {
			r = maps.Clone(r)
			req.goes("/apps", r)
			return r, nil
		}),
		apps + "stop": changeOne(func(req *apiRequest, r resource.Record) (resource.Record, error) {
			r = maps.Clone(r)
			req.become(r, resource.Record{"compute_status": resource.Record{"state": "STOPPING", "message": ""}},
				resource.Record{"compute_status": resource.Record{"state": "STOPPED", "message": ""}, "app_status": resource.Record{"state": "UNAVAILABLE", "message": ""}})
			return r, nil
		}),
		pipelines + "stop": changeOne(func(req *apiRequest, r resource.Record) (resource.Record, error) {
			r = maps.Clone(r)
			req.become(r, resource.Record{"state": "STOPPING"}, resource.Record{"state": "IDLE"})
			return r, nil
		}),
		pipelines + "updates": startUpdate,

		"PUT /api/2.0/serving-endpoints/{}/config":    changeServing,
		"PUT /api/2.0/serving-endpoints/pt/{}/config": changeServing,
	}
}

// onCluster refuses work on a cluster that is not running.
func onCluster(req *apiRequest) error {
	id := req.value("clusterId")
	it, ok := req.home.collections.Get("/clusters/" + resource.Key(id))
	if !ok {
		return apierror.New(http.StatusBadRequest, "INVALID_PARAMETER_VALUE", "Cluster %s does not exist", apierror.Printable(id))
	}
	if state := resource.Text(resource.Settled(it.Record, req.now())["state"]); state != "RUNNING" {
		return apierror.New(http.StatusBadRequest, "INVALID_STATE", "Cluster %s is in unexpected state %s.", apierror.Printable(id), state)
	}
	return nil
}

func createContext(req *apiRequest) (any, error) {
	if err := onCluster(req); err != nil {
		return nil, err
	}
	return beginWork(req, contextKind, resource.Record{}), nil
}

func executeCommand(req *apiRequest) (any, error) {
	if err := onCluster(req); err != nil {
		return nil, err
	}
	if _, ok := req.home.collections.Get(contextKind + "/" + resource.Key(req.value("contextId"))); !ok {
		return nil, apierror.New(http.StatusBadRequest, "INVALID_PARAMETER_VALUE", "ContextNotFound: no context %s", apierror.Printable(req.value("contextId")))
	}
	return beginWork(req, commandKind, resource.Record{}), nil
}

func beginWork(req *apiRequest, kindName string, r resource.Record) any {
	r["id"] = resource.NewID()
	req.goes(kindName, r)
	req.home.collections.Put(kindName+"/"+resource.Text(r["id"]), r)
	return resource.Record{"id": r["id"]}
}

func statusOfWork(kindName, param string) handler {
	return func(req *apiRequest) (any, error) {
		it, ok := req.home.collections.Get(kindName + "/" + resource.Key(req.value(param)))
		if !ok {
			return nil, apierror.New(http.StatusBadRequest, "INVALID_PARAMETER_VALUE", "There is no %s %s", documents.Noun(kindName), apierror.Printable(req.value(param)))
		}
		return req.shaped(resource.Settled(it.Record, req.now())), nil
	}
}

func cancelCommand(req *apiRequest) (any, error) {
	name := commandKind + "/" + resource.Key(req.value("commandId"))
	it, ok := req.home.collections.Get(name)
	if !ok {
		return nil, apierror.New(http.StatusBadRequest, "INVALID_PARAMETER_VALUE", "There is no command %s", apierror.Printable(req.value("commandId")))
	}
	r := maps.Clone(it.Record)
	req.become(r, resource.Record{"status": "Cancelling"}, resource.Record{"status": "Cancelled"})
	req.home.collections.Put(name, r)
	return resource.Record{}, nil
}

func destroyContext(req *apiRequest) (any, error) {
	name := contextKind + "/" + resource.Key(req.value("contextId"))
	if _, ok := req.home.collections.Get(name); !ok {
		return nil, apierror.New(http.StatusBadRequest, "INVALID_PARAMETER_VALUE", "ContextNotFound: no context %s", apierror.Printable(req.value("contextId")))
	}
	req.home.collections.Remove(name)
	return resource.Record{}, nil
}

// startConversation creates a conversation with its first message.
func startConversation(req *apiRequest) (any, error) {
	if _, _, err := req.stored(req.route.target); err != nil {
		return nil, err
	}
	space, id, now := req.params["space_id"], resource.NewID(), req.now().UnixMilli()
	conversation := resource.Record{"id": id, "conversation_id": id, "space_id": space, "title": req.object()["content"], "created_timestamp": now, "last_updated_timestamp": now}
	k := req.emulator.kinds()[conversationKind]
	if k == nil {
		return req.invented(nil), nil
	}
	in, key := k.Locate([]string{space}, []string{id})
	req.home.collections.Put(in+"/"+key, conversation)
	message := newMessage(req, space, id)
	return req.shaped(resource.Record{
		"conversation": conversation, "conversation_id": id, "message": message, "message_id": message["id"],
	}), nil
}

func createMessage(req *apiRequest) (any, error) {
	if err := req.checkParents(req.route.target); err != nil {
		return nil, err
	}
	return req.answer(newMessage(req, req.params["space_id"], req.params["conversation_id"])), nil
}

// newMessage keeps a question. Its answer comes after [Options].OperationTime.
func newMessage(req *apiRequest, space, conversation string) resource.Record {
	id, now := resource.NewID(), req.now().UnixMilli()
	r := resource.Record{
		"id": id, "message_id": id, "conversation_id": conversation, "space_id": space, "content": req.object()["content"],
		"created_timestamp": now, "last_updated_timestamp": now, "user_id": int64(company.FirstUser),
	}
	req.goes(messageKind, r)
	if k := req.emulator.kinds()[messageKind]; k != nil {
		in, key := k.Locate([]string{space, conversation}, []string{id})
		req.home.collections.Put(in+"/"+key, r)
	}
	return r
}

// startUpdate begins an update of a pipeline.
func startUpdate(req *apiRequest) (any, error) {
	if err := req.checkParents(req.route.target); err != nil {
		return nil, err
	}
	pipeline, id := req.params["pipeline_id"], resource.NewID()
	r := resource.Record{"update_id": id, "pipeline_id": pipeline, "cause": "API_CALL", "creation_time": req.now().UnixMilli(), "full_refresh": req.object()["full_refresh"] == true}
	req.goes(updateKind, r)
	req.home.collections.Put(updateKind+"|"+resource.Key(pipeline)+"/"+id, r)
	return resource.Record{"update_id": id}, nil
}

// changeServing changes the configuration of an endpoint.
func changeServing(req *apiRequest) (any, error) {
	req.home.changing.Lock()
	defer req.home.changing.Unlock()
	name := "/serving-endpoints/" + resource.Key(req.params["name"])
	it, ok := req.home.collections.Get(name)
	if !ok {
		return nil, apierror.New(http.StatusNotFound, "RESOURCE_DOES_NOT_EXIST", "Endpoint with name '%s' does not exist.", apierror.Printable(req.params["name"]))
	}
	r := maps.Clone(resource.Settled(it.Record, req.now()))
	config := req.object()
	if inner := resource.Object(config, "config"); len(inner) > 0 {
		config = inner
	}
	r["config"] = merged(resource.Object(r, "config"), config, nil)
	req.goes("/serving-endpoints", r)
	req.home.collections.Put(name, r)
	return req.shaped(r), nil
}
