package normalize

import (
	"strconv"
	"strings"

	"github.com/interdict/interdict/schema"
)

const (
	gdService slot = iota
	gdID
	gdType
	gdAccount
	gdSeverity
	gdCreated
	gdUpdated
	gdTitle
	gdDesc
	gdFirstSeen
	gdLastSeen
	gdArchived
	gdRole
	gdFeedback
	gdDirection
	gdBlocked
	gdRemoteIPs
	gdProbes
	gdProbeIP
	gdCallerDomain
	gdRemoteAccount
	gdDNS
	gdLoginUsers
	gdLoginUser
	gdThreats
	gdThreatHash
	gdScanFiles
	gdScanHash
	gdScanPath
	gdScanName
	gdProc
	gdProcName
	gdProcPath
	gdProcHash
	gdProcPID
	gdProcUser
	gdKeyID
	gdPrincipal
	gdUserName
	gdInstance
	gdNICs
	gdNICIP
	gdNICPublic
	gdNICName
	gdBuckets
	gdBucketArn
	gdBucketName
	gdCluster
	gdClusterName
	gdKubeUser
	gdKubeUID
	gdContainers
	gdContainerID
	gdContainerName
	gdDatabase
	gdDBUser
	gdFunction
	gdActors
	gdActorName
	gdActorUID
	gdEndpoints
	gdEndIP
	gdEndDomain
	gdSeqResources
	gdSeqUID
	gdSeqName
	gdIndicators
	gdIndKey
	gdIndValues
)

// guardDuty reads findings as EventBridge and S3 export write them, and as the
// API does (the same names with a capital).
func guardDuty() format {
	return format{
		FormatInfo: FormatInfo{"aws_guardduty", "AWS", "AWS GuardDuty findings, from EventBridge, S3 or the API; every finding"},
		product:    "GuardDuty",
		paths: []string{
			gdService: "service.serviceName", gdID: "id", gdType: "type", gdAccount: "accountId",
			gdSeverity: "severity", gdCreated: "createdAt", gdUpdated: "updatedAt", gdTitle: "title", gdDesc: "description",
			gdFirstSeen: "service.eventFirstSeen", gdLastSeen: "service.eventLastSeen", gdArchived: "service.archived",
			gdRole: "service.resourceRole", gdFeedback: "service.userFeedback",
			gdDirection: "service.action.networkConnectionAction.connectionDirection",
			gdBlocked:   "service.action.networkConnectionAction.blocked|service.action.dnsRequestAction.blocked|service.action.portProbeAction.blocked",
			gdRemoteIPs: "service.action.awsApiCallAction.remoteIpDetails.ipAddressV4|service.action.networkConnectionAction.remoteIpDetails.ipAddressV4|" +
				"service.action.kubernetesApiCallAction.remoteIpDetails.ipAddressV4|service.action.rdsLoginAttemptAction.remoteIpDetails.ipAddressV4|" +
				"service.action.awsApiCallAction.remoteIpDetails.ipAddressV6|service.action.networkConnectionAction.remoteIpDetails.ipAddressV6|" +
				"service.action.kubernetesApiCallAction.remoteIpDetails.ipAddressV6|service.action.rdsLoginAttemptAction.remoteIpDetails.ipAddressV6",
			gdProbes: "service.action.portProbeAction.portProbeDetails[]", gdProbeIP: "service.action.portProbeAction.portProbeDetails[].remoteIpDetails.ipAddressV4",
			gdCallerDomain: "service.action.awsApiCallAction.domainDetails.domain", gdRemoteAccount: "service.action.awsApiCallAction.remoteAccountDetails.accountId",
			gdDNS: "service.action.dnsRequestAction.domain", gdLoginUsers: "service.action.rdsLoginAttemptAction.loginAttributes[]",
			gdLoginUser: "service.action.rdsLoginAttemptAction.loginAttributes[].user",
			gdThreats:   "service.evidence.threatIntelligenceDetails[]", gdThreatHash: "service.evidence.threatIntelligenceDetails[].threatFileSha256",
			gdScanFiles: "service.ebsVolumeScanDetails.scanDetections.threatDetectedByName.threatNames[].filePaths[]",
			gdScanHash:  "service.ebsVolumeScanDetails.scanDetections.threatDetectedByName.threatNames[].filePaths[].hash",
			gdScanPath:  "service.ebsVolumeScanDetails.scanDetections.threatDetectedByName.threatNames[].filePaths[].filePath",
			gdScanName:  "service.ebsVolumeScanDetails.scanDetections.threatDetectedByName.threatNames[].filePaths[].fileName",
			gdProc:      "service.runtimeDetails.process", gdProcName: "service.runtimeDetails.process.name", gdProcPath: "service.runtimeDetails.process.executablePath",
			gdProcHash: "service.runtimeDetails.process.executableSha256", gdProcPID: "service.runtimeDetails.process.pid", gdProcUser: "service.runtimeDetails.process.user",
			gdKeyID: "resource.accessKeyDetails.accessKeyId", gdPrincipal: "resource.accessKeyDetails.principalId",
			gdUserName: "resource.accessKeyDetails.userName",
			gdInstance: "resource.instanceDetails.instanceId", gdNICs: "resource.instanceDetails.networkInterfaces[]",
			gdNICIP: "resource.instanceDetails.networkInterfaces[].privateIpAddress", gdNICPublic: "resource.instanceDetails.networkInterfaces[].publicIp",
			gdNICName: "resource.instanceDetails.networkInterfaces[].privateDnsName",
			gdBuckets: "resource.s3BucketDetails[]", gdBucketArn: "resource.s3BucketDetails[].arn", gdBucketName: "resource.s3BucketDetails[].name",
			gdCluster: "resource.eksClusterDetails.arn|resource.ecsClusterDetails.arn", gdClusterName: "resource.eksClusterDetails.name|resource.ecsClusterDetails.name",
			gdKubeUser: "resource.kubernetesDetails.kubernetesUserDetails.username", gdKubeUID: "resource.kubernetesDetails.kubernetesUserDetails.uid",
			gdContainers:    "resource.kubernetesDetails.kubernetesWorkloadDetails.containers[]|resource.ecsClusterDetails.taskDetails.containers[]|resource.containerDetails",
			gdContainerID:   "resource.kubernetesDetails.kubernetesWorkloadDetails.containers[].id|resource.ecsClusterDetails.taskDetails.containers[].id|resource.containerDetails.id",
			gdContainerName: "resource.kubernetesDetails.kubernetesWorkloadDetails.containers[].name|resource.ecsClusterDetails.taskDetails.containers[].name|resource.containerDetails.name",
			gdDatabase:      "resource.rdsDbInstanceDetails.dbInstanceArn", gdDBUser: "resource.rdsDbUserDetails.user", gdFunction: "resource.lambdaDetails.functionArn",
			gdActors: "service.detection.sequence.actors[]", gdActorName: "service.detection.sequence.actors[].user.name", gdActorUID: "service.detection.sequence.actors[].user.uid",
			gdEndpoints: "service.detection.sequence.endpoints[]", gdEndIP: "service.detection.sequence.endpoints[].ip", gdEndDomain: "service.detection.sequence.endpoints[].domain",
			gdSeqResources: "service.detection.sequence.resources[]", gdSeqUID: "service.detection.sequence.resources[].uid", gdSeqName: "service.detection.sequence.resources[].name",
			gdIndicators: "service.detection.sequence.sequenceIndicators[]", gdIndKey: "service.detection.sequence.sequenceIndicators[].key",
			gdIndValues: "service.detection.sequence.sequenceIndicators[].values[]",
		},
		clauses: []clause{equals(gdService, "guardduty"), has(gdType), has(gdAccount), has(gdID)},
		alert:   func(*doc) bool { return true },
		fill:    fillGuardDuty,
	}
}

// capitalized spells a path as the AWS API does: each name with a capital.
func capitalized(path string) string {
	b := []byte(path)
	for i := range b {
		if (i == 0 || b[i-1] == '.') && b[i] >= 'a' && b[i] <= 'z' {
			b[i] -= 'a' - 'A'
		}
	}
	return string(b)
}

func fillGuardDuty(d *doc, a *schema.Alert) {
	a.VendorID, a.Title, a.Desc = d.str(gdID), d.str(gdTitle), d.str(gdDesc)
	a.Type, a.Rule, a.RuleUID = d.str(gdType), d.str(gdType), d.str(gdType)
	a.Created, a.Updated = d.created(gdCreated, gdFirstSeen), d.time(gdUpdated)
	a.Start, a.End = d.time(gdFirstSeen), d.time(gdLastSeen)
	a.Severity = guardDutySeverity(d.str(gdSeverity))
	a.Blocked = d.str(gdBlocked) == "true"
	a.Status = schema.AlertStatusNew
	if d.str(gdArchived) == "true" {
		a.Status = schema.AlertStatusSuppressed
	}
	if d.str(gdFeedback) == "NOT_USEFUL" {
		a.Verdict = schema.VerdictFalsePositive
	}
	d.technique("", guardDutyTactic(a.Type))
	for it := d.each(gdIndicators); it.next(); {
		switch it.str(gdIndKey) {
		case "ATTACK_TACTIC":
			for v := it.each(gdIndValues); v.next(); {
				d.technique("", v.text())
			}
		case "ATTACK_TECHNIQUE":
			for v := it.each(gdIndValues); v.next(); {
				d.technique(v.text(), "")
			}
		}
	}

	// The resource did it (ACTOR), or had it done to it. AWS writes TARGET also
	// where the type says that the resource calls its master.
	ours, theirs := schema.RoleTarget, schema.RoleSource
	calls := d.has(gdDNS) || d.str(gdDirection) == "OUTBOUND"
	switch {
	case strings.Contains(a.Type, "C&C"), calls && (strings.HasPrefix(a.Type, "Backdoor:") || strings.HasPrefix(a.Type, "Trojan:")):
		ours, theirs = schema.RoleActor, schema.RoleC2
	case calls, d.str(gdRole) == "ACTOR":
		ours, theirs = schema.RoleActor, schema.RoleTarget
	}
	guardDutyRemote(d, theirs)
	guardDutyResource(d, ours)
	guardDutySequence(d)
}

func guardDutyRemote(d *doc, role schema.Role) {
	for it := d.each(gdRemoteIPs); it.next(); {
		d.ip(role, it.text())
	}
	for it := d.each(gdProbes); it.next(); {
		d.ip(role, it.str(gdProbeIP))
	}
	d.domain(role, d.str(gdDNS))
	if s := d.str(gdCallerDomain); s != "" {
		d.domain(schema.RoleRelated, s)
	}
	d.other(schema.EntityCloudAccount, role, d.str(gdRemoteAccount), "")
	for it := d.each(gdThreats); it.next(); {
		d.hash(schema.RoleRelated, it.str(gdThreatHash), "")
	}
	for it := d.each(gdScanFiles); it.next(); {
		d.file(schema.RoleRelated, it.str(gdScanPath), it.str(gdScanName))
		d.hash(schema.RoleRelated, it.str(gdScanHash), it.str(gdScanName))
	}
}

func guardDutyResource(d *doc, role schema.Role) {
	d.other(schema.EntityCloudAccount, schema.RoleRelated, d.str(gdAccount), "")

	// The account whose key made the calls acts, whatever the resource's role.
	user := schema.RoleActor
	d.user(user, d.str(gdUserName), d.str(gdPrincipal))
	if id := d.str(gdKeyID); id != "" {
		d.resource(user, id, "")
	}
	d.user(user, d.str(gdKubeUser), d.str(gdKubeUID))
	d.user(role, d.str(gdDBUser), "")
	for it := d.each(gdLoginUsers); it.next(); {
		d.user(role, it.str(gdLoginUser), "")
	}

	if id := clean(d.str(gdInstance)); id != "" {
		name := ""
		for it := d.each(gdNICs); it.next() && name == ""; {
			name = it.str(gdNICName)
		}
		d.host(role, name, id)
		d.resource(role, id, "")
	}
	for it := d.each(gdNICs); it.next(); {
		d.ip(role, it.str(gdNICIP))
		d.ip(role, it.str(gdNICPublic))
	}
	for it := d.each(gdBuckets); it.next(); {
		id := it.str(gdBucketArn)
		if id == "" && it.str(gdBucketName) != "" {
			id = d.n.arena.join("arn:aws:s3:::", it.str(gdBucketName))
		}
		d.resource(role, id, it.str(gdBucketName))
	}
	d.resource(role, d.str(gdCluster), d.str(gdClusterName))
	d.resource(role, d.str(gdDatabase), "")
	d.resource(role, d.str(gdFunction), "")
	for it := d.each(gdContainers); it.next(); {
		d.other(schema.EntityContainer, role, it.str(gdContainerID), it.str(gdContainerName))
	}
	if d.has(gdProc) {
		d.process(schema.RoleRelated, clean(d.str(gdInstance)), d.str(gdProcPID), "", d.firstOf(gdProcPath, gdProcName))
		d.hash(schema.RoleRelated, d.str(gdProcHash), d.str(gdProcName))
		d.file(schema.RoleRelated, d.str(gdProcPath), "")
		d.user(schema.RoleRelated, d.str(gdProcUser), "")
	}
}

// guardDutySequence reads what an attack sequence finding lists.
func guardDutySequence(d *doc) {
	for it := d.each(gdActors); it.next(); {
		d.user(schema.RoleActor, it.str(gdActorName), it.str(gdActorUID))
	}
	for it := d.each(gdEndpoints); it.next(); {
		d.ip(schema.RoleSource, it.str(gdEndIP))
		d.domain(schema.RoleSource, it.str(gdEndDomain))
	}
	for it := d.each(gdSeqResources); it.next(); {
		d.resource(schema.RoleTarget, it.str(gdSeqUID), it.str(gdSeqName))
	}
}

// guardDutySeverity maps AWS's ranges: 1.0-3.9 low, to 6.9 medium, to 8.9 high,
// from 9.0 critical.
func guardDutySeverity(s string) schema.Severity {
	f, err := strconv.ParseFloat(s, 64)
	switch {
	case err != nil || !(f > 0) || f > 10:
		return schema.SeverityUnknown
	case f < 1:
		return schema.SeverityInformational
	case f < 4:
		return schema.SeverityLow
	case f < 7:
		return schema.SeverityMedium
	case f < 9:
		return schema.SeverityHigh
	}
	return schema.SeverityCritical
}

// guardDutyTactic gives the tactic that a finding type's purpose (what stands
// before the colon) names or, by AWS's description of it, means. Behavior,
// Policy, PenTest, Trojan, UnauthorizedAccess and AttackSequence mean none.
func guardDutyTactic(findingType string) string {
	switch purpose := cutPrefixOf(findingType, ":"); purpose {
	case "Backdoor":
		return "command and control"
	case "CryptoCurrency":
		return "impact"
	default:
		return tacticID(purpose)
	}
}
