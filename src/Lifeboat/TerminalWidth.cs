using System.Runtime.InteropServices;

namespace Lifeboat;

/// <summary>How many columns the terminal behind standard output has.</summary>
internal static partial class TerminalWidth
{
    private const int Usual = 80;
    private const int Narrowest = 20;
    private const nuint GetWindowSize = 0x5413; // TIOCGWINSZ, asm-generic/ioctls.h

    public static int Columns()
    {
        int columns = OperatingSystem.IsLinux() ? AskTerminal() : AskConsole();
        return columns >= Narrowest ? columns : Usual;
    }

    /// <summary>Not by <see cref="Console"/>, which would switch the terminal's keypad mode on the way.</summary>
    private static int AskTerminal() => ControlTerminal(1, GetWindowSize, out WindowSize size) == 0 ? size.Columns : 0;

    private static int AskConsole()
    {
        try
        {
            return Console.WindowWidth;
        }
        catch (IOException)
        {
            return 0; // Windows, without a console
        }
    }

    [LibraryImport("libc", EntryPoint = "ioctl")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int ControlTerminal(int descriptor, nuint request, out WindowSize size);

    /// <summary><c>struct winsize</c></summary>
    [StructLayout(LayoutKind.Sequential)]
    private readonly struct WindowSize
    {
        public readonly ushort Rows;
        public readonly ushort Columns;
        public readonly ushort Width;
        public readonly ushort Height;
    }
}
