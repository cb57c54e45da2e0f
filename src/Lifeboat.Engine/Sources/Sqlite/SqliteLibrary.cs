using System.Runtime.InteropServices;
using SQLitePCL;

namespace Lifeboat.Engine.Sources.Sqlite;

/// <summary>
/// Chooses SQLite's library once for the process: the system's where it is newer than the one that is shipped with the program, because it
/// has the fixes of the meantime.
/// </summary>
public static class SqliteLibrary
{
    private const int BundledVersionNumber = 3_035_005;
    private const string ProviderName = "e_sqlite3";
    private static readonly string[] SystemNames = ["libsqlite3.so.0", "libsqlite3.dylib", "winsqlite3"];

    // The native library is the process's, so which one it is can only be the process's too.
    private static readonly Lazy<string> Chosen = new(Choose);

    /// <summary><c>system</c> or <c>bundled</c>; makes the library ready for use.</summary>
    public static string Origin => Chosen.Value;

    /// <summary>
    /// Makes the library ready; whoever uses SQLite in this process calls this and nothing else, since two copies of it must never meet.
    /// </summary>
    public static void Use() => _ = Chosen.Value;

    public static string Version => raw.sqlite3_libversion().utf8_to_string();

    private static string Choose()
    {
        nint system = FindSystem();
        if (system != 0)
        {
            NativeLibrary.SetDllImportResolver(
                typeof(SQLite3Provider_e_sqlite3).Assembly, (name, _, _) => name == ProviderName ? system : 0);
        }

        raw.SetProvider(new SQLite3Provider_e_sqlite3());
        return system != 0 ? "system" : "bundled";
    }

    private static unsafe nint FindSystem()
    {
        foreach (string name in SystemNames)
        {
            if (!NativeLibrary.TryLoad(name, out nint library))
                continue;
            if (NativeLibrary.TryGetExport(library, "sqlite3_libversion_number", out nint version)
                && ((delegate* unmanaged[Cdecl]<int>)version)() > BundledVersionNumber)
                return library;
            NativeLibrary.Free(library);
        }

        return 0;
    }
}
