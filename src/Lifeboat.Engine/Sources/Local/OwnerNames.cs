using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using System.Text;

namespace Lifeboat.Engine.Sources.Local;

/// <summary>Names of this machine's users and groups by number, as the system's own databases say; each asked once.</summary>
internal sealed class OwnerNames
{
    private readonly ConcurrentDictionary<uint, string?> _users = new();
    private readonly ConcurrentDictionary<uint, string?> _groups = new();

    private unsafe delegate int Search(uint id, byte** entry, byte* text, nuint size, out nint found);

    /// <summary>Null where the number has no name (or on Windows).</summary>
    public string? User(uint uid) => _users.GetOrAdd(uid, static id => FindUser(id));

    /// <inheritdoc cref="User"/>
    public string? Group(uint gid) => _groups.GetOrAdd(gid, static id => FindGroup(id));

    private static unsafe string? FindUser(uint uid) => Find(uid, Libc.FindUser);

    private static unsafe string? FindGroup(uint gid) => Find(gid, Libc.FindGroup);

    private static unsafe string? Find(uint id, Search search)
    {
        if (OperatingSystem.IsWindows())
            return null;
        const int outOfRoom = 34; // ERANGE
        byte** entry = stackalloc byte*[16];
        for (int size = 4096; size <= 1024 * 1024; size *= 4)
        {
            byte[] text = new byte[size];
            fixed (byte* room = text)
            {
                int result = search(id, entry, room, (nuint)size, out nint found);
                if (result == outOfRoom)
                    continue;
                return result == 0 && found != 0
                    ? Encoding.UTF8.GetString(MemoryMarshal.CreateReadOnlySpanFromNullTerminated(entry[0]))
                    : null;
            }
        }

        return null;
    }
}
