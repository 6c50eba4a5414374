package deploycheck

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	metavalidation "k8s.io/apimachinery/pkg/apis/meta/v1/validation"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

func worker() judged {
	return judged{"kubernetes/worker.yaml", manifests, []mistake{
		{"containerPort: 9187", "containerport: 9187", `unknown field "spec.template.spec.containers[0].ports[0].containerport"`},
		{"failureThreshold: 6", "failuresThreshold: 6", `unknown field "spec.template.spec.containers[0].livenessProbe.failuresThreshold"`},
		{"replicas: 2", `replicas: "2"`, "cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas"},
		{"memory: 128Mi", "memory: 128MB", "quantities must match the regular expression"},
		{"memory: 128Mi", "memory: 2Gi", "memory: more is requested than the limit"},
		{"apiVersion: apps/v1", "apiVersion: apps/v1beta9", `no kind "Deployment" is registered for version "apps/v1beta9"`},
		{"type: RuntimeDefault", "type: Default", `"Default" is no SeccompProfileType`},
		{"  name: lakeql-worker\n", "  name: lakeql_worker\n", `"lakeql_worker": a lowercase RFC 1123 label`},
		{"matchLabels: {app.kubernetes.io/name: lakeql,", "matchLabels: {app.kubernetes.io/name: other,", "does not select the pods of its template"},
		{"targetPort: metrics", "targetPort: metric", "no container has the port metric"},
		{"port: metrics}\n            periodSeconds: 10", "port: metric}\n            periodSeconds: 10", "no container has the port metric"},
		{"{name: tmp, mountPath: /tmp}", "{name: temp, mountPath: /tmp}", "there is no volume temp"},
		{"automountServiceAccountToken: false\n---", "automountServiceAccountToken: false\nautomountServiceAccountToken: true\n---", `key "automountServiceAccountToken" already set`},
	}}
}

func cronJob() judged {
	return judged{"kubernetes/cronjob.yaml", manifests, []mistake{
		{"concurrencyPolicy: Forbid", "concurrencyPolicy: Forbidden", `"Forbidden" is no ConcurrencyPolicy`},
		{"restartPolicy: Never", "restartPolicy: Always", "a Job's pods restart Never or OnFailure"},
		{"backoffLimit: 0", "backofLimit: 0", `unknown field "spec.jobTemplate.spec.backofLimit"`},
		{"  jobTemplate:\n    spec:\n", "  jobTemplate:\n", `unknown field "spec.jobTemplate.backoffLimit"`},
		{"secretKeyRef: {name: lakeql, key: store}", "secretRef: {name: lakeql, key: store}", `unknown field "spec.jobTemplate.spec.template.spec.containers[0].env[0].valueFrom.secretRef"`},
		{"drop: [ALL]", "drop: ALL", "cannot unmarshal string"},
	}}
}

// manifests judges a file as the API does with fieldValidation=Strict, and looks for what the types do not say.
func manifests(text string) error {
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{appsv1.AddToScheme, batchv1.AddToScheme, corev1.AddToScheme, policyv1.AddToScheme} {
		if err := add(scheme); err != nil {
			return err
		}
	}
	decoder := serializer.NewCodecFactory(scheme, serializer.EnableStrict).UniversalDeserializer()
	var errs []error
	var pods []corev1.PodTemplateSpec
	var services []*corev1.Service
	var selectors []*metav1.LabelSelector
	for _, document := range strings.Split(text, "\n---\n") {
		object, _, err := decoder.Decode([]byte(document), nil, nil)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		errs = append(errs, values(reflect.ValueOf(object)), named(object.(metav1.Object)))
		switch o := object.(type) {
		case *appsv1.Deployment:
			pods, selectors = append(pods, o.Spec.Template), append(selectors, o.Spec.Selector)
		case *batchv1.CronJob:
			template := o.Spec.JobTemplate.Spec.Template
			if template.Spec.RestartPolicy == corev1.RestartPolicyAlways {
				errs = append(errs, errors.New("a Job's pods restart Never or OnFailure"))
			}
			pods = append(pods, template)
		case *corev1.Service:
			services = append(services, o)
		case *policyv1.PodDisruptionBudget:
			selectors = append(selectors, o.Spec.Selector)
		}
	}
	for _, selector := range selectors {
		chosen, err := metav1.LabelSelectorAsSelector(selector)
		if err != nil || !slices.ContainsFunc(pods, func(p corev1.PodTemplateSpec) bool { return chosen.Matches(labels.Set(p.Labels)) }) {
			errs = append(errs, fmt.Errorf("%v does not select the pods of its template: %w", selector.MatchLabels, err))
		}
	}
	for _, pod := range pods {
		errs = append(errs, inPod(&pod))
	}
	for _, s := range services {
		for _, p := range s.Spec.Ports {
			errs = append(errs, hasPort(pods, p.TargetPort.StrVal))
		}
	}
	return errors.Join(errs...)
}

// named judges the names and labels of an object.
func named(o metav1.Object) error {
	var errs []error
	for _, says := range validation.IsDNS1123Label(o.GetName()) {
		errs = append(errs, fmt.Errorf("%q: %s", o.GetName(), says))
	}
	return errors.Join(append(errs, metavalidation.ValidateLabels(o.GetLabels(), field.NewPath("labels")).ToAggregate())...)
}

// inPod judges what the parts of a pod name of each other.
func inPod(pod *corev1.PodTemplateSpec) error {
	var errs []error
	for _, c := range pod.Spec.Containers {
		if c.Name == "" || c.Image == "" {
			errs = append(errs, errors.New("a container has no name, or no image"))
		}
		for _, m := range c.VolumeMounts {
			if !slices.ContainsFunc(pod.Spec.Volumes, func(v corev1.Volume) bool { return v.Name == m.Name }) {
				errs = append(errs, fmt.Errorf("there is no volume %s", m.Name))
			}
		}
		for name, wants := range c.Resources.Requests {
			if most, limited := c.Resources.Limits[name]; limited && wants.Cmp(most) > 0 {
				errs = append(errs, fmt.Errorf("%s: more is requested than the limit", name))
			}
		}
		for _, p := range c.Ports {
			for _, says := range validation.IsValidPortName(p.Name) {
				errs = append(errs, fmt.Errorf("port %q: %s", p.Name, says))
			}
		}
		for _, probe := range []*corev1.Probe{c.LivenessProbe, c.ReadinessProbe, c.StartupProbe} {
			if probe != nil && probe.HTTPGet != nil {
				errs = append(errs, hasPort([]corev1.PodTemplateSpec{*pod}, probe.HTTPGet.Port.StrVal))
			}
		}
	}
	return errors.Join(errs...)
}

// hasPort reports that no container has a port of a name.
func hasPort(pods []corev1.PodTemplateSpec, name string) error {
	for _, pod := range pods {
		for _, c := range pod.Spec.Containers {
			if name == "" || slices.ContainsFunc(c.Ports, func(p corev1.ContainerPort) bool { return p.Name == name }) {
				return nil
			}
		}
	}
	return fmt.Errorf("no container has the port %s", name)
}

// known are the values of the types of text that the manifests use. The types of the API do not say them.
func known() map[reflect.Type][]string {
	return map[reflect.Type][]string{
		reflect.TypeFor[batchv1.ConcurrencyPolicy](): texts(batchv1.AllowConcurrent, batchv1.ForbidConcurrent, batchv1.ReplaceConcurrent),
		reflect.TypeFor[corev1.RestartPolicy]():      texts(corev1.RestartPolicyAlways, corev1.RestartPolicyNever, corev1.RestartPolicyOnFailure),
		reflect.TypeFor[corev1.SeccompProfileType](): texts(corev1.SeccompProfileTypeRuntimeDefault, corev1.SeccompProfileTypeLocalhost, corev1.SeccompProfileTypeUnconfined),
		reflect.TypeFor[corev1.Capability]():         {"ALL"},
		reflect.TypeFor[corev1.ResourceName]():       texts(corev1.ResourceCPU, corev1.ResourceMemory),
	}
}

func texts[T ~string](all ...T) (made []string) {
	for _, one := range all {
		made = append(made, string(one))
	}
	return made
}

// values finds texts that are none of the values of their type, in an object and all that it has.
func values(v reflect.Value) error {
	var errs []error
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			return values(v.Elem())
		}
	case reflect.Struct:
		for _, f := range reflect.VisibleFields(v.Type()) {
			if f.IsExported() && len(f.Index) == 1 {
				errs = append(errs, values(v.FieldByIndex(f.Index)))
			}
		}
	case reflect.Slice:
		for i := range v.Len() {
			errs = append(errs, values(v.Index(i)))
		}
	case reflect.Map:
		for _, key := range v.MapKeys() {
			errs = append(errs, values(key), values(v.MapIndex(key)))
		}
	case reflect.String:
		if v.String() == "" || !strings.HasPrefix(v.Type().PkgPath(), "k8s.io/api/") {
			return nil
		}
		if all := known()[v.Type()]; !slices.Contains(all, v.String()) {
			return fmt.Errorf("%q is no %s: %s", v.String(), v.Type().Name(), strings.Join(all, ", "))
		}
	default:
	}
	return errors.Join(errs...)
}
