using System.Runtime.InteropServices;

namespace Lifeboat.EngineTests;

/// <summary>Gives up root's rights for a while. Rights are the process's, so tests that do this run alone.</summary>
internal static partial class Nobody
{
    private const uint Id = 65534;

    /// <summary>The C library changes all threads' rights at once.</summary>
    public static async Task DoAsync(Func<Task> work)
    {
        Assert.Equal(0, SetEffectiveGroup(Id));
        Assert.Equal(0, SetEffectiveUser(Id));
        try
        {
            await work();
        }
        finally
        {
            Assert.Equal(0, SetEffectiveUser(0));
            Assert.Equal(0, SetEffectiveGroup(0));
        }
    }

    [LibraryImport("libc", EntryPoint = "seteuid")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int SetEffectiveUser(uint uid);

    [LibraryImport("libc", EntryPoint = "setegid")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int SetEffectiveGroup(uint gid);
}
