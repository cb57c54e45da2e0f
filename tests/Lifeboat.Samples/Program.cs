using System.Globalization;
using Lifeboat.Samples;

if (args.Length is not (5 or 6))
{
    Console.Error.WriteLine("""
        usage: Lifeboat.Samples SIZE FOLDER POSTGRES_SOCKET_FOLDER POSTGRES_PORT MYSQL_SOCKET [SEED]
        SIZE is tiny (1 MB), small (40 MB), medium (400 MB), large (2 GB), or a number of conversations of about 40 KB each.
        HINT: tests/sample-app SIZE FOLDER starts servers too
        """);
    return 2;
}

ChatServers servers = new(args[2], int.Parse(args[3], CultureInfo.InvariantCulture), args[4]);
ChatApp app = new(Path.GetFullPath(args[1]), servers, ChatSize.Parse(args[0]), args.Length == 6 ? int.Parse(args[5], CultureInfo.InvariantCulture) : 1);
app.Create();
return 0;
