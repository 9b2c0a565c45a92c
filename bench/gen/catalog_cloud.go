package gen

// guardDutyRules: id is the finding type; detail is the API of an account
// finding, or the kind of action of an instance finding.
var guardDutyRules = [...]rule{
	{guardDuty, "UnauthorizedAccess:IAMUser/ConsoleLoginSuccess.B", "Console login from several places at once", "ConsoleLogin", "T1078.004", initialAccess, 3, 40, hasUser | hasRemote, "signin.amazonaws.com", "", 0},
	{guardDuty, "UnauthorizedAccess:IAMUser/TorIPCaller", "API call from an anonymizing network", "GetCallerIdentity", "T1078.004", initialAccess, 3, 25, hasUser | hasRemote, "sts.amazonaws.com", "", 0},
	{guardDuty, "Persistence:IAMUser/AnomalousBehavior", "Unusual call that keeps access", "CreateAccessKey", "T1098.001", persistence, 3, 22, hasUser | hasRemote, "iam.amazonaws.com", "", 0},
	{guardDuty, "Discovery:IAMUser/AnomalousBehavior", "Unusual enumeration of resources", "DescribeInstances", "T1580", discovery, 2, 90, hasUser | hasRemote, "ec2.amazonaws.com", "", 0},
	{guardDuty, "Stealth:IAMUser/CloudTrailLoggingDisabled", "Trail switched off", "StopLogging", "T1562.008", defenseEvasion, 4, 8, hasUser | hasRemote, "cloudtrail.amazonaws.com", "", 0},
	{guardDuty, "PrivilegeEscalation:IAMUser/AnomalousBehavior", "Unusual policy attached", "AttachUserPolicy", "T1098", privilegeEscalation, 3, 18, hasUser | hasRemote, "iam.amazonaws.com", "", 0},
	{guardDuty, "Exfiltration:S3/AnomalousBehavior", "Unusual reads from a bucket", "GetObject", "T1530", collection, 4, 14, hasUser | hasRemote | hasBucket, "s3.amazonaws.com", "", 0},
	{guardDuty, "Exfiltration:S3/MaliciousIPCaller", "Bucket read from a listed address", "GetObject", "T1537", exfiltration, 4, 6, hasUser | hasRemote | hasBucket, "s3.amazonaws.com", "", 0},
	{guardDuty, "CryptoCurrency:EC2/BitcoinTool.B!DNS", "Instance asks for a mining pool", "DNS_REQUEST", "T1496", impact, 4, 10, hasHost | hasDomain, "", "", 53},
	{guardDuty, "Backdoor:EC2/C&CActivity.B", "Instance talks to a listed controller", "NETWORK_CONNECTION", "T1071.001", commandAndControl, 4, 8, hasHost | hasRemote, "", "", 443},
	{guardDuty, "Recon:EC2/PortProbeUnprotectedPort", "Open port is probed", "NETWORK_CONNECTION", "T1595", reconnaissance, 2, 130, hasHost | hasRemote | inbound, "", "", 22},
	{guardDuty, "UnauthorizedAccess:EC2/SSHBruteForce", "SSH passwords tried", "NETWORK_CONNECTION", "T1110", credentialAccess, 2, 100, hasHost | hasRemote | inbound, "", "", 22},
}

// oktaRules: id is the event type; detail is "outcome/reason", or the threat
// that a detection names.
var oktaRules = [...]rule{
	{okta, "user.session.start", "User login to Okta", "FAILURE/INVALID_CREDENTIALS", "T1110.003", credentialAccess, 2, 260, hasUser | hasRemote, "", "", 0},
	{okta, "user.session.start", "User login to Okta", "FAILURE/LOCKED_OUT", "T1110", credentialAccess, 2, 60, hasUser | hasRemote, "", "", 0},
	{okta, "user.session.start", "User login to Okta", "FAILURE/VERIFICATION_ERROR", "T1621", credentialAccess, 3, 40, hasUser | hasRemote, "", "", 0},
	{okta, "security.threat.detected", "Request from suspicious actor", "Password Spray", "T1110.003", credentialAccess, 4, 12, hasUser | hasRemote, "", "", 0},
	{okta, "security.threat.detected", "Request from suspicious actor", "Session Roaming", "T1078.004", initialAccess, 4, 14, hasUser | hasRemote, "", "", 0},
	{okta, "security.threat.detected", "Request from suspicious actor", "Suspicious Sign-in", "T1078", initialAccess, 3, 30, hasUser | hasRemote, "", "", 0},
	{okta, "user.account.report_suspicious_activity_by_enduser", "User report suspicious activity", "SUCCESS/", "T1098", persistence, 3, 18, hasUser | hasRemote, "", "", 0},
}

// oktaTelemetry: events that are no alerts.
var oktaTelemetry = [...]rule{
	{okta, "user.session.start", "User login to Okta", "SUCCESS/", "", noTactic, 0, 30, hasUser | hasRemote, "", "", 0},
	{okta, "user.authentication.sso", "User single sign on to app", "SUCCESS/", "", noTactic, 0, 45, hasUser | hasRemote, "", "", 0},
	{okta, "policy.evaluate_sign_on", "Evaluation of sign-on policy", "ALLOW/", "", noTactic, 0, 15, hasUser | hasRemote, "", "", 0},
	{okta, "user.session.end", "User logout from Okta", "SUCCESS/", "", noTactic, 0, 10, hasUser | hasRemote, "", "", 0},
}
