package gen

const (
	procHost = hasHost | hasUser | hasProcess
	fileHost = procHost | hasFile
)

// defenderRules: id is the detector id, detail the serviceSource.
var defenderRules = [...]rule{
	{defender, "7a10f2c1-0001", "Mail with a link to a credential page was delivered", "microsoftDefenderForOffice365", "T1566.002", initialAccess, 3, 40, hasUser | hasMailbox | hasDomain | hasRemote, "", "", 0},
	{defender, "7a10f2c1-0002", "Mail with a malicious attachment was delivered", "microsoftDefenderForOffice365", "T1566.001", initialAccess, 4, 18, hasUser | hasMailbox | hasFile | hasRemote, "", "", 0},
	{defender, "7a10f2c1-0003", "User reported a message as phishing", "microsoftDefenderForOffice365", "T1566.002", initialAccess, 2, 70, hasUser | hasMailbox | hasDomain, "", "", 0},
	{defender, "7a10f2c1-0004", "Suspicious PowerShell command line", "microsoftDefenderForEndpoint", "T1059.001", execution, 3, 60, procHost, "powershell.exe", `powershell.exe -NoProfile -WindowStyle Hidden -EncodedCommand SQBFAFgA`, 0},
	{defender, "7a10f2c1-0005", "Suspicious process started by an office document", "microsoftDefenderForEndpoint", "T1204.002", execution, 4, 14, fileHost, "winword.exe", `"C:\Program Files\Microsoft Office\root\Office16\WINWORD.EXE" /n`, 0},
	{defender, "7a10f2c1-0006", "Malware was prevented", "microsoftDefenderForEndpoint", "T1204.002", execution, 2, 90, fileHost, "explorer.exe", `C:\Windows\explorer.exe`, 0},
	{defender, "7a10f2c1-0007", "Autostart entry added by an unsigned program", "microsoftDefenderForEndpoint", "T1547.001", persistence, 3, 35, fileHost, "reg.exe", `reg.exe add HKCU\Software\Microsoft\Windows\CurrentVersion\Run /v sync /f`, 0},
	{defender, "7a10f2c1-0008", "Web shell written to a web folder", "microsoftDefenderForEndpoint", "T1505.003", persistence, 4, 3, fileHost, "w3wp.exe", `c:\windows\system32\inetsrv\w3wp.exe -ap "DefaultAppPool"`, 0},
	{defender, "7a10f2c1-0009", "Command shell started by a web server", "microsoftDefenderForEndpoint", "T1059.003", execution, 4, 5, procHost, "cmd.exe", `cmd.exe /c whoami /all`, 0},
	{defender, "7a10f2c1-0010", "Process memory dump of LSASS", "microsoftDefenderForEndpoint", "T1003.001", credentialAccess, 5, 4, fileHost, "rundll32.exe", `rundll32.exe C:\Windows\System32\comsvcs.dll, MiniDump 640 C:\Temp\m.dmp full`, 0},
	{defender, "7a10f2c1-0011", "Account enumeration against a domain controller", "microsoftDefenderForIdentity", "T1087.002", discovery, 3, 40, hasHost | hasUser | hasPeer, "", "", 0},
	{defender, "7a10f2c1-0012", "Remote system sweep with a built-in program", "microsoftDefenderForEndpoint", "T1018", discovery, 2, 45, procHost, "nltest.exe", `nltest.exe /dclist:corp.example`, 0},
	{defender, "7a10f2c1-0013", "Service installed over an admin share", "microsoftDefenderForEndpoint", "T1021.002", lateralMovement, 4, 10, fileHost | hasPeer, "services.exe", `C:\Windows\System32\services.exe`, 445},
	{defender, "7a10f2c1-0014", "Unusual remote desktop session", "microsoftDefenderForIdentity", "T1021.001", lateralMovement, 3, 30, hasHost | hasUser | hasPeer, "", "", 3389},
	{defender, "7a10f2c1-0015", "Tampering with antivirus protection", "microsoftDefenderForEndpoint", "T1562.001", defenseEvasion, 4, 12, fileHost, "powershell.exe", `powershell.exe Set-MpPreference -DisableRealtimeMonitoring $true`, 0},
	{defender, "7a10f2c1-0016", "Volume shadow copies deleted", "microsoftDefenderForEndpoint", "T1490", impact, 4, 3, fileHost, "vssadmin.exe", `vssadmin.exe delete shadows /all /quiet`, 0},
	{defender, "7a10f2c1-0017", "Ransomware behavior: many files rewritten and renamed", "microsoftDefenderForEndpoint", "T1486", impact, 5, 1, fileHost, "svchost.exe", `svchost.exe -k netsvcs`, 0},
	{defender, "7a10f2c1-0018", "Network connection to a listed controller", "microsoftDefenderForEndpoint", "T1071.001", commandAndControl, 4, 15, procHost | hasRemote | hasDomain, "rundll32.exe", `rundll32.exe shell32.dll,Control_RunDLL`, 443},
	{defender, "7a10f2c1-0019", "Archive of many documents made", "microsoftDefenderForEndpoint", "T1560.001", collection, 2, 40, fileHost, "7z.exe", `7z.exe a -r -p C:\Temp\b.7z C:\Users\Public\Documents`, 0},
	{defender, "7a10f2c1-0020", "Upload of an unusual volume to cloud storage", "microsoftDefenderForCloudApps", "T1567.002", exfiltration, 3, 25, hasUser | hasRemote | hasDomain, "", "", 443},
	{defender, "7a10f2c1-0021", "Mail forwarding rule to an outside address", "microsoftDefenderForOffice365", "T1114.003", collection, 3, 15, hasUser | hasMailbox | hasRemote, "", "", 0},
	{defender, "7a10f2c1-0022", "Mailbox read by an unusual client", "microsoftDefenderForCloudApps", "T1114.002", collection, 3, 14, hasUser | hasMailbox | hasRemote, "", "", 0},
	{defender, "7a10f2c1-0023", "Password spray against many accounts", "azureAdIdentityProtection", "T1110.003", credentialAccess, 4, 6, hasUser | hasRemote, "", "", 0},
	{defender, "7a10f2c1-0024", "Sign-in from an unfamiliar place", "azureAdIdentityProtection", "T1078", initialAccess, 2, 110, hasUser | hasRemote, "", "", 0},
	{defender, "7a10f2c1-0025", "Unwanted software was blocked", "microsoftDefenderForEndpoint", "", noTactic, 1, 130, fileHost, "msiexec.exe", `msiexec.exe /i C:\Users\Public\Downloads\toolbar.msi /qn`, 0},
}

// edrRules: id is the analytic uid, detail the analytic's kind.
var edrRules = [...]rule{
	{edr, "EP-1001", "Encoded script interpreter command", "Behavioral", "T1059.001", execution, 3, 55, procHost, "powershell.exe", `powershell.exe -nop -w hidden -enc JABjAD0A`, 0},
	{edr, "EP-1002", "Shell below an office program", "Behavioral", "T1204.002", execution, 4, 10, fileHost, "excel.exe", `"C:\Program Files\Microsoft Office\root\Office16\EXCEL.EXE" /dde`, 0},
	{edr, "EP-1003", "Shell below a web server process", "Behavioral", "T1059.003", execution, 4, 5, procHost, "cmd.exe", `cmd.exe /c net user /domain`, 0},
	{edr, "EP-1004", "Script file dropped by a web server process", "Rule", "T1505.003", persistence, 4, 3, fileHost, "w3wp.exe", `w3wp.exe -ap "DefaultAppPool" -v "v4.0"`, 0},
	{edr, "EP-1005", "Scheduled task with a user-writable program", "Rule", "T1053.005", persistence, 3, 40, fileHost, "schtasks.exe", `schtasks.exe /create /sc onlogon /tn Sync /tr C:\Users\Public\s.exe`, 0},
	{edr, "EP-1006", "Autostart key for an unsigned program", "Rule", "T1547.001", persistence, 3, 40, fileHost, "reg.exe", `reg.exe add HKLM\Software\Microsoft\Windows\CurrentVersion\Run /v upd`, 0},
	{edr, "EP-1007", "LSASS opened with read access", "Behavioral", "T1003.001", credentialAccess, 5, 6, fileHost, "procdump64.exe", `procdump64.exe -accepteula -ma lsass.exe C:\Temp\l.dmp`, 0},
	{edr, "EP-1008", "Directory queried for privileged groups", "Rule", "T1087.002", discovery, 2, 50, procHost, "net.exe", `net.exe group "Domain Admins" /domain`, 0},
	{edr, "EP-1009", "Neighbors enumerated", "Rule", "T1018", discovery, 2, 50, procHost, "nltest.exe", `nltest.exe /domain_trusts /all_trusts`, 0},
	{edr, "EP-1010", "Program copied to and started on another machine", "Behavioral", "T1021.002", lateralMovement, 4, 9, fileHost | hasPeer, "psexesvc.exe", `C:\Windows\psexesvc.exe`, 445},
	{edr, "EP-1011", "Remote desktop from an unusual machine", "Statistical", "T1021.001", lateralMovement, 2, 35, hasHost | hasUser | hasPeer, "", "", 3389},
	{edr, "EP-1012", "Security service stopped", "Behavioral", "T1562.001", defenseEvasion, 4, 14, fileHost, "sc.exe", `sc.exe stop Sense`, 0},
	{edr, "EP-1013", "Recovery switched off and backups removed", "Behavioral", "T1490", impact, 4, 3, fileHost, "bcdedit.exe", `bcdedit.exe /set {default} recoveryenabled no`, 0},
	{edr, "EP-1014", "Mass encryption of files", "Behavioral", "T1486", impact, 5, 1, fileHost, "svchost.exe", `svchost.exe -k LocalService`, 0},
	{edr, "EP-1015", "Process talks to a listed controller", "Fingerprinting", "T1071.001", commandAndControl, 4, 12, procHost | hasRemote | hasDomain, "rundll32.exe", `rundll32.exe C:\ProgramData\cache.dat,Start`, 443},
	{edr, "EP-1016", "Archive tool over many document folders", "Rule", "T1560.001", collection, 2, 35, fileHost, "rar.exe", `rar.exe a -r -hp C:\ProgramData\d.rar C:\Shares`, 0},
	{edr, "EP-1017", "Bulk copy tool to cloud storage", "Rule", "T1567.002", exfiltration, 4, 8, procHost | hasRemote | hasDomain, "rclone.exe", `rclone.exe copy C:\Shares remote:out --transfers 8`, 443},
	{edr, "EP-1018", "Driver with a known weakness loaded", "Fingerprinting", "T1068", privilegeEscalation, 3, 18, fileHost, "sc.exe", `sc.exe create drv type= kernel`, 0},
	{edr, "EP-1019", "Packed program of low reputation", "Learning (ML/DL)", "T1027", defenseEvasion, 2, 110, fileHost, "explorer.exe", `C:\Windows\explorer.exe`, 0},
	{edr, "EP-1020", "Remote help program started", "Rule", "T1219", commandAndControl, 2, 70, procHost | hasRemote | hasDomain, "remotehelp.exe", `remotehelp.exe --service`, 443},
	{edr, "EP-1021", "Possibly unwanted program", "Fingerprinting", "", noTactic, 1, 120, fileHost, "setup.exe", `setup.exe /S`, 0},
}
