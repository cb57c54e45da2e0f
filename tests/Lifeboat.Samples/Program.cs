using System.Globalization;
using Lifeboat.Samples;

if (args.Length is not (6 or 7))
{
    Console.Error.WriteLine("""
        usage: Lifeboat.Samples SIZE FOLDER POSTGRES_SOCKET_FOLDER POSTGRES_PORT MYSQL_SOCKET CHROMA_PORT|none [SEED]
        SIZE is tiny (1 MB), small (40 MB), medium (400 MB), large (2 GB), or a number of conversations of about 40 KB each.
        HINT: tests/sample-app SIZE FOLDER starts servers too
        """);
    return 2;
}

ChatServers servers = new(args[2], int.Parse(args[3], CultureInfo.InvariantCulture), args[4])
{
    ChromaUrl = args[5] == "none" ? null : $"http://127.0.0.1:{args[5]}/api/v2/tenants/default_tenant/databases/default_database",
};
ChatApp app = new(Path.GetFullPath(args[1]), servers, ChatSize.Parse(args[0]), args.Length == 7 ? int.Parse(args[6], CultureInfo.InvariantCulture) : 1);
app.Create();
return 0;
