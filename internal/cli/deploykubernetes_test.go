//go:build unix

package cli_test

import (
	"maps"
	"strings"
	"testing"

	"github.com/lakeql/lakeql/internal/emulator"
)

// manifest has the fields of the manifests for Kubernetes.
type manifest struct {
	APIVersion string   `yaml:"apiVersion"`
	Kind       string   `yaml:"kind"`
	Metadata   metadata `yaml:"metadata"`
	Automount  *bool    `yaml:"automountServiceAccountToken"`
	Spec       struct {
		Replicas    int              `yaml:"replicas"`
		Selector    map[string]any   `yaml:"selector"`
		Template    podTemplate      `yaml:"template"`
		ClusterIP   string           `yaml:"clusterIP"`
		Ports       []map[string]any `yaml:"ports"`
		Unavailable int              `yaml:"maxUnavailable"`
		Schedule    string           `yaml:"schedule"`
		TimeZone    string           `yaml:"timeZone"`
		Concurrency string           `yaml:"concurrencyPolicy"`
		Deadline    int              `yaml:"startingDeadlineSeconds"`
		Successful  int              `yaml:"successfulJobsHistoryLimit"`
		Failed      int              `yaml:"failedJobsHistoryLimit"`
		JobTemplate struct {
			Spec struct {
				BackoffLimit *int        `yaml:"backoffLimit"`
				Deadline     int         `yaml:"activeDeadlineSeconds"`
				Template     podTemplate `yaml:"template"`
			} `yaml:"spec"`
		} `yaml:"jobTemplate"`
	} `yaml:"spec"`
}

type metadata struct {
	Name        string            `yaml:"name"`
	Labels      map[string]string `yaml:"labels"`
	Annotations map[string]string `yaml:"annotations"`
}

type podTemplate struct {
	Metadata metadata `yaml:"metadata"`
	Spec     struct {
		ServiceAccount  string `yaml:"serviceAccountName"`
		Automount       *bool  `yaml:"automountServiceAccountToken"`
		RestartPolicy   string `yaml:"restartPolicy"`
		GracePeriod     int    `yaml:"terminationGracePeriodSeconds"`
		SecurityContext struct {
			NonRoot bool `yaml:"runAsNonRoot"`
			User    int  `yaml:"runAsUser"`
			Group   int  `yaml:"runAsGroup"`
			FSGroup int  `yaml:"fsGroup"`
			Seccomp struct {
				Type string `yaml:"type"`
			} `yaml:"seccompProfile"`
		} `yaml:"securityContext"`
		Containers []container `yaml:"containers"`
		Volumes    []struct {
			Name      string         `yaml:"name"`
			EmptyDir  map[string]any `yaml:"emptyDir"`
			ConfigMap struct {
				Name string `yaml:"name"`
			} `yaml:"configMap"`
		} `yaml:"volumes"`
	} `yaml:"spec"`
}

type probe struct {
	HTTP struct {
		Path string `yaml:"path"`
		Port string `yaml:"port"`
	} `yaml:"httpGet"`
	Period   int `yaml:"periodSeconds"`
	Failures int `yaml:"failureThreshold"`
}

type container struct {
	Name  string   `yaml:"name"`
	Image string   `yaml:"image"`
	Args  []string `yaml:"args"`
	Env   []struct {
		Name  string `yaml:"name"`
		Value string `yaml:"value"`
		From  struct {
			Secret struct {
				Name string `yaml:"name"`
				Key  string `yaml:"key"`
			} `yaml:"secretKeyRef"`
		} `yaml:"valueFrom"`
	} `yaml:"env"`
	Ports []struct {
		Name string `yaml:"name"`
		Port int    `yaml:"containerPort"`
	} `yaml:"ports"`
	Liveness  probe                        `yaml:"livenessProbe"`
	Readiness probe                        `yaml:"readinessProbe"`
	Resources map[string]map[string]string `yaml:"resources"`
	Security  struct {
		Escalation   *bool `yaml:"allowPrivilegeEscalation"`
		ReadOnly     bool  `yaml:"readOnlyRootFilesystem"`
		Capabilities struct {
			Drop []string `yaml:"drop"`
		} `yaml:"capabilities"`
	} `yaml:"securityContext"`
	Mounts []struct {
		Name     string `yaml:"name"`
		Path     string `yaml:"mountPath"`
		ReadOnly bool   `yaml:"readOnly"`
	} `yaml:"volumeMounts"`
}

// TestDeployKubernetes reads the manifests strictly, and runs the job's command over a PostgreSQL server.
func TestDeployKubernetes(t *testing.T) {
	t.Parallel()
	var pods []podTemplate
	kinds := map[string]manifest{}
	for _, name := range []string{"kubernetes/worker.yaml", "kubernetes/cronjob.yaml"} {
		for _, m := range strictly[manifest](t, name) {
			kinds[m.APIVersion+" "+m.Kind] = m
			switch m.Kind {
			case "Deployment":
				pods = append(pods, m.Spec.Template)
			case "CronJob":
				pods = append(pods, m.Spec.JobTemplate.Spec.Template)
			}
		}
	}
	for _, want := range []string{"v1 ServiceAccount", "apps/v1 Deployment", "v1 Service", "policy/v1 PodDisruptionBudget", "batch/v1 CronJob"} {
		if _, ok := kinds[want]; !ok {
			t.Errorf("there is no %s", want)
		}
	}
	worker := kinds["apps/v1 Deployment"].Spec
	for _, kind := range []string{"apps/v1 Deployment", "policy/v1 PodDisruptionBudget"} {
		labels, _ := kinds[kind].Spec.Selector["matchLabels"].(map[string]any)
		selects(t, kind, labels, worker.Template.Metadata.Labels)
	}
	selects(t, "Service", kinds["v1 Service"].Spec.Selector, worker.Template.Metadata.Labels)
	if c := worker.Template.Spec.Containers[0]; c.Liveness.HTTP.Path != "/livez" || c.Readiness.HTTP.Path != "/readyz" || c.Liveness.HTTP.Port != c.Ports[0].Name || c.Readiness.HTTP.Port != c.Ports[0].Name || c.Ports[0].Port != 9187 {
		t.Errorf("the probes ask %+v and %+v at %+v", c.Liveness, c.Readiness, c.Ports)
	}
	for _, pod := range pods {
		c := pod.Spec.Containers[0]
		if s := pod.Spec.SecurityContext; !s.NonRoot || s.User != 65532 || s.Seccomp.Type != "RuntimeDefault" || !c.Security.ReadOnly || c.Security.Escalation == nil || *c.Security.Escalation || strings.Join(c.Security.Capabilities.Drop, "") != "ALL" || pod.Spec.Automount == nil || *pod.Spec.Automount {
			t.Errorf("%s may more than it needs", c.Name)
		}
		if pod.Spec.ServiceAccount != kinds["v1 ServiceAccount"].Metadata.Name {
			t.Errorf("the service account of %s is not there", c.Name)
		}
		declared := map[string]string{}
		for _, e := range c.Env {
			declared[e.Name] = e.Value + e.From.Secret.Name
			if secret := strings.Contains(e.Name, "SECRET") || strings.Contains(e.Name, "PASSWORD") || e.Name == "LAKEQL_STORE"; secret && (e.Value != "" || e.From.Secret.Key == "") {
				t.Errorf("%s is no reference to a Secret", e.Name)
			}
		}
		if declared["LAKEQL_STORE"] == "" || declared["DATABRICKS_HOST"] == "" {
			t.Errorf("%s has the environment %v", c.Name, declared)
		}
		mounted := map[string]bool{}
		for _, m := range c.Mounts {
			mounted[m.Name] = true
		}
		for _, v := range pod.Spec.Volumes {
			if !mounted[v.Name] {
				t.Errorf("%s is not mounted", v.Name)
			}
		}
		parses(t, c.Name, c.Args)
	}

	s := startCluster(t).database(t, "inventory")
	_, env := workspace(t, emulator.Options{Workspaces: []string{"dbc-1"}})
	job := kinds["batch/v1 CronJob"].Spec.JobTemplate.Spec
	got := run{args: put(job.Template.Spec.Containers[0].Args, "/inventory", company(t, listed([]string{"dbc-1"})), "$(LAKEQL_STORE)", s.name), env: env}.do(t)
	if got.status != 0 || mustCount(t, s, "lakeql_run WHERE state = 'done'") != 1 {
		t.Errorf("the job: %+v", got)
	}
}

// selects shows that a selector matches labels.
func selects(t *testing.T, kind string, selector map[string]any, labels map[string]string) {
	t.Helper()
	made := map[string]string{}
	for name, value := range selector {
		made[name], _ = value.(string)
	}
	if len(made) == 0 || !maps.Equal(made, labels) {
		t.Errorf("the selector of %s is %v, and the labels are %v", kind, made, labels)
	}
}
