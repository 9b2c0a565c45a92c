package chdb

import "github.com/ClickHouse/ch-go/proto"

// helloQuery is what clickhouse-go asks first on every HTTP connection.
const helloQuery = "SELECT displayName(), version(), revision(), timezone()"

// helloBlock answers it with revision 0. The engine writes Native blocks at
// revision 0 always, while the client reads at the revision it announced until
// this answer tells it the server's. So this one block is encoded at the
// client's revision, and says that all others come at revision 0.
func helloBlock(clientRevision int, version, timezone string) ([]byte, error) {
	var name, ver, tz proto.ColStr
	var rev proto.ColUInt32
	name.Append("interdict")
	ver.Append(version)
	rev.Append(0)
	tz.Append(timezone)
	var buf proto.Buffer
	err := proto.Block{Columns: 4, Rows: 1, Info: proto.BlockInfo{BucketNum: -1}}.EncodeBlock(&buf, clientRevision, []proto.InputColumn{
		{Name: "displayName()", Data: &name},
		{Name: "version()", Data: &ver},
		{Name: "revision()", Data: &rev},
		{Name: "timezone()", Data: &tz},
	})
	return buf.Buf, err
}
